import { BlockList, isIP } from 'node:net';

/** The network, and the bits of its prefix. */
type Subnet = readonly [string, number];

/**
 * IPv4 that is not of the public Internet: IANA's special-purpose registry, and multicast.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/multicast-addresses
 */
const specialIpv4: readonly Subnet[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, with the metadata of clouds and of Lambda
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // AMT
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, with broadcast
];

/**
 * All that IANA has set aside for global unicast. What is outside is not public: loopback, unique local, link-local,
 * multicast, and the forms that carry an IPv4 address (mapped, compatible, NAT64).
 * @see https://www.iana.org/assignments/ipv6-address-space
 */
const globalUnicast: Subnet = ['2000::', 3];

/**
 * The special ones within it.
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const specialIpv6: readonly Subnet[] = [
  ['2001::', 23], // protocol assignments, with Teredo, which carries an IPv4 address
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which carries an IPv4 address
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
];

const unicast = new BlockList();
unicast.addSubnet(...globalUnicast, 'ipv6');
const special = new BlockList();
for (const subnet of specialIpv4) special.addSubnet(...subnet, 'ipv4');
for (const subnet of specialIpv6) special.addSubnet(...subnet, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address, as a resolver writes it, is of the public Internet. What is not an address is not public. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      return unicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
  }
  return false;
}

export function isLoopbackAddress(address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
