/**
 * For the global `crypto` where a bundle asks for it: the AWS SDK wants no more of it than `randomUUID`, which
 * `node:crypto` has too, and the global loads all of Web Crypto (2 ms).
 */
export * as crypto from 'node:crypto';
