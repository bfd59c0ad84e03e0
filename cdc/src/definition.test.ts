import { expect, it } from '@jest/globals';
import { parseDefinition } from './definition.js';

const MARIADB = `CREATE TABLE \`a\`\`b\` (
  \`id\` int(10) unsigned NOT NULL AUTO_INCREMENT,
  \`co\`\`l, x\` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'it''s, (x' COMMENT 'a, \`b\` (c)',
  \`g\` int(11) GENERATED ALWAYS AS (\`id\` + 1) VIRTUAL,
  \`h\` int(11) DEFAULT NULL COMMENT 'it''s CHECK (no)' CHECK (\`h\` in (1,2)),
  PRIMARY KEY (\`id\`),
  UNIQUE KEY \`u\` (\`co\`\`l, x\`),
  CONSTRAINT \`fk\` FOREIGN KEY (\`id\`, \`g\`) REFERENCES \`other\`.\`maker\` (\`a\`, \`b\`) ON DELETE SET NULL,
  CONSTRAINT \`plain\` FOREIGN KEY (\`g\`) REFERENCES \`maker\` (\`id\`) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT \`c\` CHECK (\`id\` > 0 and \`g\` <> ')')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='PARTITION BY nobody'`;

it('reads of SHOW CREATE TABLE what names, commas and quotes could hide', () => {
  const { columns, foreignKeys, checks, isPartitioned } = parseDefinition('a`b', MARIADB);
  expect([...columns]).toEqual([
    ['id', 'int(10) unsigned NOT NULL AUTO_INCREMENT'],
    [
      'co`l, x',
      "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'it''s, (x' COMMENT 'a, `b` (c)'",
    ],
    ['g', 'int(11) GENERATED ALWAYS AS (`id` + 1) VIRTUAL'],
    ['h', "int(11) DEFAULT NULL COMMENT 'it''s CHECK (no)' CHECK (`h` in (1,2))"],
  ]);
  expect(foreignKeys).toEqual([
    {
      name: 'fk',
      columns: ['id', 'g'],
      references: '`other`.`maker` (`a`, `b`)',
      parent: 'other.maker',
      parentColumns: ['a', 'b'],
      cascades: true,
    },
    {
      name: 'plain',
      columns: ['g'],
      references: '`maker` (`id`)',
      parent: 'maker',
      parentColumns: ['id'],
      cascades: false,
    },
  ]);
  expect(checks).toEqual([
    { name: 'h', expression: '`h` in (1,2)', column: 'h' },
    { name: 'c', expression: "`id` > 0 and `g` <> ')'" },
  ]);
  expect(isPartitioned).toBe(false);
});

it.each([
  '\n PARTITION BY HASH (`id`)\nPARTITIONS 2',
  '\n/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 2 */',
])('sees partitions as either server prints them: %j', (end) => {
  expect(
    parseDefinition('t', `CREATE TABLE \`t\` (\n  \`id\` int\n) ENGINE=InnoDB${end}`).isPartitioned,
  ).toBe(true);
});
