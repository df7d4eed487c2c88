import assert from 'node:assert/strict';
import {test} from 'node:test';

import '../support/page.js';

import {outdatedWords} from '../../../explorer/ui/kit/currency.js';

const STAMP = {name: 'ResNet-18', network: '', settings: ['noise', 1, null]};

test('a result of this network and these settings is current', () => {
  assert.equal(outdatedWords(STAMP, '', '["noise",1,null]'), '');
  assert.equal(outdatedWords(STAMP, '', undefined), '', 'no setting has changed yet');
  assert.equal(outdatedWords(null, 'preset=resnet34', '[]'), '', 'there is no result');
});

test('a result of another network or of other settings says so', () => {
  assert.equal(
    outdatedWords(STAMP, 'preset=resnet34', '["noise",1,null]'),
    'These results are for an earlier network (ResNet-18).',
  );
  assert.equal(outdatedWords(STAMP, '', '["noise",3,null]'), 'These results are for earlier settings.');
});
