import { z } from 'zod';

export const secretText = z.string().refine((text) => text.length >= 16, {
  message: 'is shorter than 16 characters',
  params: { remedy: 'make one with "openssl rand -hex 32"' },
});
export const adminToken = secretText
  .refine((text) => text.length < 16 || /^[\w.~+/=-]+$/.test(text), {
    message: 'has characters that a header cannot carry',
    params: { remedy: 'make one with "openssl rand -hex 32"' },
  })
  .describe('shown by whoever asks the admin port; enters by !env');

export const databaseUrl = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) &&
      /^(mysql|mariadb):$/.test(new URL(text).protocol) &&
      new URL(text).pathname.length > 1,
    {
      message: 'is not the URL of a MySQL or MariaDB database',
      params: {
        remedy: 'write it as "mysql://user:password@host:3306/database" and let it enter by "!env NAME"',
      },
    },
  );
