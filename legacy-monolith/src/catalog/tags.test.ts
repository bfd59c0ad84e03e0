import { expect, it } from '@jest/globals';
import { escapeLike, splitTags } from './tags.js';

it.each([
  [null, []],
  ['', []],
  [' , ', []],
  ['küche', ['küche']],
  ['b, a ,c', ['b', 'a', 'c']],
  ['neu,,set,', ['neu', 'set']],
])('the column %j holds the tags %j', (column, tags) => {
  expect(splitTags(column)).toEqual(tags);
});

it('a percent sign that a person typed is no wildcard', () => {
  expect(escapeLike('100%_\\')).toBe('100\\%\\_\\\\');
});
