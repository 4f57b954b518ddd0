/** Files that a bundle holds as text: esbuild imports them `with { type: 'text' }`. */
declare module '*.css' {
  const text: string;
  export default text;
}
declare module '*/reference-page.client.js' {
  const text: string;
  export default text;
}
declare module 'openapi-explorer/dist/browser/openapi-explorer.min.js' {
  const text: string;
  export default text;
}
