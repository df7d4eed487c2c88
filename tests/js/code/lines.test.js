import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ownersOfLines} from '../../../explorer/ui/code/lines.js';

test('a line has its boxes, and frames only where no box has it', () => {
  const boxes = {'layer1.0.conv1': [53, 53, 61], 'layer2.0': [40, 40, 53, 61]};
  const frames = {'layer1.0': [41, 41, 53, 61], layer1: [78, 53, 61, 78]};
  const owners = ownersOfLines(boxes, frames);
  assert.deepEqual(owners.get(53), ['layer1.0.conv1', 'layer2.0']);
  assert.deepEqual(owners.get(40), ['layer2.0']);
  assert.deepEqual(owners.get(41), ['layer1.0']);
  assert.deepEqual(owners.get(78), ['layer1']);
  assert.equal(owners.get(1), undefined);
});
