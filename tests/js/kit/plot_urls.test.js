import assert from 'node:assert/strict';
import {test} from 'node:test';
import {withoutAddress} from '../../../explorer/ui/kit/plot_urls.js';

test('a reference keeps its id and loses the address', () => {
  for (const quote of ['"', "'", ''])
    assert.equal(
      withoutAddress(`opacity: 1; fill: url(${quote}http://host:1/a/?preset=resnet50&at=layer1.0:add#p-1_x${quote});`),
      'opacity: 1; fill: url(#p-1_x);',
    );
  assert.equal(withoutAddress('url(#clip) url("http://h/?q#mask")'), 'url(#clip) url(#mask)');
});

test('what refers to nothing stays', () => {
  for (const value of ['fill: rgb(1, 2, 3)', 'url(#clip)', 'none']) assert.equal(withoutAddress(value), value);
});
