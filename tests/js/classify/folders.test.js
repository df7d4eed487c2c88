// Folders of photos as classes.
import assert from 'node:assert/strict';
import test from 'node:test';
import {classOfFolder, filesByFolder} from '../../../explorer/ui/classify/folders.js';

const named = name => ({name, photos: []});
const filled = name => ({name, photos: ['photo']});

test('files are grouped by their folder, in the order in which folders came', () => {
  const found = [
    ['a', 'sea'],
    ['b', 'lawn'],
    ['c', 'sea'],
  ].map(([file, folder]) => ({file, folder}));
  assert.deepEqual(
    [...filesByFolder(found)],
    [
      ['sea', ['a', 'c']],
      ['lawn', ['b']],
    ],
  );
  assert.equal(filesByFolder([]).size, 0);
});

test('a folder goes to the class of its name', () => {
  const sea = filled('sea');
  assert.equal(classOfFolder('sea', [named(''), sea]), sea);
});

test('a folder without a class goes to an empty one, first to the one it was dropped on', () => {
  const first = named(''),
    second = named('');
  assert.equal(classOfFolder('sea', [filled(''), first, second]), first);
  assert.equal(classOfFolder('sea', [first, second], second), second);
  assert.equal(classOfFolder('sea', [first, filled('lawn')], filled('lawn')), first);
});

test('a class with photos or another name is not taken', () => {
  assert.equal(classOfFolder('sea', [filled(''), named('lawn')]), undefined);
});
