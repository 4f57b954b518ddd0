import { existsSync, readdirSync } from 'node:fs';
import type { Finding } from './finding.ts';

/** The processor of the functions. */
const lambdaProcessor = 'arm64';
/** `bundle-0a1b.js.arm64-13.6.233.17-node.53-gc.cache`: the build puts the processor and the V8 into the name. */
const cacheName = /\.js\.([a-z0-9]+)-([\w.-]+?)(-gc)?\.cache$/;

/**
 * Whether the functions can start from the code caches that were built. Without them they work, and start slower.
 *
 * Which V8 Lambda runs cannot be known before a function has started there: AWS publishes a runtime's major version, and no
 * call returns more than an opaque ARN.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
 */
export function checkCodeCaches(bundles: string): Finding {
  const check = 'code caches';
  const names = existsSync(bundles) ? readdirSync(bundles, { recursive: true, encoding: 'utf8' }) : [];
  const caches = names.flatMap((name) => {
    const [, processor, v8] = cacheName.exec(name) ?? [];
    return processor === undefined || v8 === undefined ? [] : [{ processor, v8 }];
  });
  if (names.length === 0) return { check, state: 'not checked', found: 'nothing is built here' };
  if (caches.length === 0) {
    return { check, state: 'advice', found: 'there are none: the functions start slower', fix: 'npm run build' };
  }
  const fitting = caches.find(({ processor }) => processor === lambdaProcessor);
  if (fitting === undefined) {
    const built = [...new Set(caches.map(({ processor }) => processor))].join(', ');
    return {
      check,
      state: 'advice',
      found: `built for ${built}, and the functions run on ${lambdaProcessor}: they start slower`,
      fix: `deploy by the pipeline, which builds on ${lambdaProcessor}`,
    };
  }
  return {
    check,
    state: 'not checked',
    found: `built for V8 ${fitting.v8} on ${lambdaProcessor}; which V8 Lambda has shows only when a function starts there`,
  };
}
