/** Files that a bundle holds as text: esbuild imports them `with { type: 'text' }`. */
declare module '*.css' {
  const text: string;
  export default text;
}
declare module '*.client.js' {
  const text: string;
  export default text;
}
