import assert from 'node:assert/strict';
import {test} from 'node:test';
import '../support/page.js';
import {zoomFactor} from '../../../explorer/ui/diagram/gestures.js';
import {isStretched} from '../../../explorer/ui/diagram/minimap.js';
import {shift} from '../../../explorer/ui/diagram/viewport.js';

test('a frame moves as little as it takes to show a box', () => {
  assert.equal(shift([120, 180], [100, 200]), 0);
  assert.equal(shift([50, 90], [100, 200]), -58, 'its start, and a margin');
  assert.equal(shift([150, 230], [100, 200]), 38, 'its end, and a margin');
  assert.equal(shift([150, 400], [100, 200]), 42, 'the start of what is longer than the frame');
});

test('a turn of the wheel and a pinch on a trackpad zoom by about as much as before', () => {
  assert.ok(zoomFactor({deltaY: -100, deltaMode: 0}) < 1, 'up enlarges');
  assert.ok(Math.abs(zoomFactor({deltaY: 100, deltaMode: 0}) - 1.162) < 0.001);
  assert.ok(Math.abs(zoomFactor({deltaY: 3, deltaMode: 1}) - 1.16) < 0.01, 'three lines are a turn');
  assert.ok(zoomFactor({deltaY: 5, deltaMode: 0}) > 1.05, 'the small steps of a pinch');
});

test('a map stretches what would be a hair in it', () => {
  const box = {width: 88, height: 168};
  assert.ok(!isStretched({width: 500, height: 1500}, box));
  assert.ok(isStretched({width: 600, height: 30000}, box));
  assert.ok(isStretched({width: 500, height: 1500}, {width: 14, height: 500}));
});
