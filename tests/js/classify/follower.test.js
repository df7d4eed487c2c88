// A part that follows what is chosen asks one question at a time and shows only what is still wanted.
import assert from 'node:assert/strict';
import test from 'node:test';
import {follower} from '../../../explorer/ui/classify/follower.js';

/** A follower of ``wanted.now``, whose questions wait in ``asked`` until they are answered. */
function setUp() {
  const wanted = {now: null},
    asked = [],
    shown = [];
  const ask = request => new Promise(answer => asked.push({request, answer}));
  const follow = follower(
    () => wanted.now,
    ask,
    answer => shown.push(answer),
  );
  return {wanted, asked, shown, follow};
}
const settled = () => new Promise(done => setImmediate(done));

test('nothing wanted is not asked for', async () => {
  const {asked, follow} = setUp();
  await follow();
  assert.equal(asked.length, 0);
});

test('what is shown is not asked for again, unless it was forgotten', async () => {
  const {wanted, asked, shown, follow} = setUp();
  wanted.now = {layer: 'a'};
  follow();
  asked[0].answer('a');
  await settled();
  follow();
  assert.equal(asked.length, 1);
  follow.forget();
  follow();
  assert.equal(asked.length, 2);
  assert.deepEqual(shown, ['a']);
});

test('an answer to what was wanted before is not shown; the last choice is asked for next', async () => {
  const {wanted, asked, shown, follow} = setUp();
  for (const layer of ['a', 'b', 'c']) {
    wanted.now = {layer};
    follow();
  }
  assert.equal(asked.length, 1);
  asked[0].answer('a');
  await settled();
  assert.deepEqual(asked[1].request, {layer: 'c'});
  asked[1].answer('c');
  await settled();
  assert.deepEqual(shown, ['c']);
});

test('after an error the same is asked for again', async () => {
  const {wanted, asked, shown, follow} = setUp();
  wanted.now = {layer: 'a'};
  follow();
  asked[0].answer({error: 'No.'});
  await settled();
  follow();
  assert.equal(asked.length, 2);
  assert.deepEqual(shown, [{error: 'No.'}]);
});
