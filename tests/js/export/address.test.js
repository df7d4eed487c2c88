import assert from 'node:assert/strict';
import {test} from 'node:test';

import {exportPath} from '../../../explorer/ui/export/address.js';

test("an export has the page's address, and what is open in the diagram", () => {
  const path = exportPath('svg', '?preset=resnet50&open=layer1&at=layer1.0', ['layer2', 'layer2.0']);
  assert.equal(path, 'export/svg?preset=resnet50&open=layer2+layer2.0&at=layer1.0');
});

test('what is open in the address stays until a diagram is drawn', () => {
  assert.equal(exportPath('svg', '?preset=resnet50&open=layer1', undefined), 'export/svg?preset=resnet50&open=layer1');
});

test('a diagram in which nothing is open is exported folded', () => {
  assert.equal(exportPath('onnx', '', []), 'export/onnx?open=');
});
