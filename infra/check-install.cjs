'use strict';

/**
 * Loaded by npm's scripts before anything else (`node -r`): says in one line what is missing, where Node would print a stack.
 * Node before 24.2 cannot load the TypeScript of this project. Therefore this file is written for any Node.
 */
var existsSync = require('fs').existsSync;
var join = require('path').join;

/** The first that loads TypeScript without a flag or a warning, and has `import.meta.main`. */
var leastMajor = 24;
var leastMinor = 2;

var root = join(__dirname, '..');

function whatIsMissing() {
  var version = process.versions.node.split('.').map(Number);
  if (version[0] < leastMajor || (version[0] === leastMajor && version[1] < leastMinor)) {
    var instead =
      process.platform === 'linux' && process.arch === 'x64'
        ? 'run "npm ci" (without --omit=optional), which installs one for the npm scripts'
        : 'install Node ' + leastMajor;
    return (
      'Node ' + leastMajor + '.' + leastMinor + ' or newer is needed, this is ' + version.join('.') + ': ' + instead
    );
  }
  var manifest = require(join(root, 'package.json'));
  var names = Object.keys(manifest.dependencies).concat(Object.keys(manifest.devDependencies));
  var missing = names.filter(function (name) {
    return !existsSync(join(root, 'node_modules', name, 'package.json'));
  });
  if (missing.length === 0) return undefined;
  var what = missing.length === names.length ? 'The packages are' : 'The package ' + missing[0] + ' is';
  return what + ' not installed: run "npm ci" (without --omit=dev)';
}

var line = whatIsMissing();
if (line !== undefined) {
  process.stderr.write(line + '.\n');
  process.exit(1);
}
