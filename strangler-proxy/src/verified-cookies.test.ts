import { describe, expect, it } from '@jest/globals';
import { identify, recognise } from './identify.js';
import { createVerifiedCookies } from './verified-cookies.js';

describe('cookies that were found right', () => {
  it('are known again as long as they are in use, and no more of them are kept than agreed', () => {
    const verified = createVerifiedCookies(4);
    verified.keep('in use', 'a');
    for (let index = 0; index < 100; index++) {
      verified.keep(`value ${index}`, 'b');
      expect(verified.idOf('in use')).toBe('a');
    }
    const known = Array.from({ length: 100 }, (_, index) => verified.idOf(`value ${index}`));
    expect(known.filter((id) => id !== undefined).length).toBeLessThanOrEqual(8);
  });

  it('say nothing for another secret, and a forged one stays forged however often it comes', () => {
    const identity = { identity: {}, secret: 'a secret of sufficient length' };
    const { setCookie = '' } = identify(
      { cookies: '', headers: [], isSecure: false },
      identity,
      () => 'anna',
    );
    const cookies = setCookie.split(';')[0];
    for (let time = 0; time < 3; time++) {
      expect(recognise({ cookies, headers: [] }, identity)?.id).toBe('anna');
      expect(
        recognise({ cookies, headers: [] }, { ...identity, secret: 'another secret, as long' }),
      ).toBeUndefined();
      expect(recognise({ cookies: cookies.replace('anna', 'otto'), headers: [] }, identity)).toBeUndefined();
    }
  });
});
