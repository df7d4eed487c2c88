// What scripts read of the browser as soon as they are imported. Import this before them.
globalThis.location = {pathname: '/', search: ''};
