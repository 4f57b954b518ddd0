/**
 * Whether a URL's hostname names this machine: 127.0.0.0/8, [::1], localhost. After WHATWG URL parsing every spelling of
 * an IPv4 address is four decimal numbers, and names are lower case.
 */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
