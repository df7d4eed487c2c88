import assert from 'node:assert/strict';
import {test} from 'node:test';
import {beside} from '../../../explorer/ui/kit/placing.js';

const VIEW = {width: 1440, height: 900};
const BOX = {offsetWidth: 320, offsetHeight: 120};
const at = (left, top) => ({left, top, right: left + 60, bottom: top + 20});

test('a box goes below what it explains, and above where there is no room below', () => {
  assert.deepEqual(beside(at(500, 100), BOX, VIEW), {left: 500, top: 126});
  assert.deepEqual(beside(at(500, 850), BOX, VIEW), {left: 500, top: 724});
});

test('a box leaves a column free, or where there is no room beside it the neighbours', () => {
  const phone = {width: 390, height: 844};
  assert.deepEqual(beside(at(20, 300), BOX, VIEW, {right: 280}), {left: 286, top: 300});
  assert.deepEqual(beside(at(20, 300), BOX, phone, {right: 280}), {left: 20, top: 716});
  assert.deepEqual(beside(at(20, 760), BOX, phone, {right: 280}), {left: 20, top: 8});
});

test('a box stays in the window', () => {
  for (const left of [-40, 0, 700, 1430]) {
    for (const top of [-10, 0, 450, 895]) {
      for (const column of [undefined, {right: 280}]) {
        const {left: x, top: y} = beside(at(left, top), BOX, VIEW, column);
        assert.ok(x >= 8 && x + 320 <= 1432, `${left} ${top}`);
        assert.ok(y >= 8 && y + 120 <= 892, `${left} ${top}`);
      }
    }
  }
});
