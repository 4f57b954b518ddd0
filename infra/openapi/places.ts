const at = (path: string): string => new URL(`../../${path}`, import.meta.url).pathname;

/** The description, as committed and served. */
export const descriptionPath = at('functions/contract/openapi.json');
/** The description as last released: what callers rely on. */
export const releasedPath = at('infra/openapi/released.json');
export const packagePath = at('package.json');
