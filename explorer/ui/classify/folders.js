// Folders of photos as classes: pure functions.

/**
 * Files by the folder they were in, in the order in which folders came.
 * @template F
 * @param {{file: F, folder: string}[]} found
 * @returns {Map<string, F[]>}
 */
export function filesByFolder(found) {
  const groups = new Map();
  for (const {file, folder} of found) groups.set(folder, [...(groups.get(folder) ?? []), file]);
  return groups;
}

/**
 * The class that a folder's photos belong to: the one of its name, else one without name and photos; undefined if a new
 * class is needed.
 * @template {{name: string, photos: any[]}} C
 * @param {string} folder
 * @param {C[]} classes
 * @param {C | null} preferred among those without name and photos: the one that the folder was dropped on
 * @returns {C | undefined}
 */
export function classOfFolder(folder, classes, preferred = null) {
  const isEmpty = one => !one.photos.length && !one.name;
  const free = preferred && isEmpty(preferred) ? preferred : classes.find(isEmpty);
  return classes.find(one => one.name === folder) ?? free;
}
