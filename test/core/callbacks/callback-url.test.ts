import { describe, expect, test } from 'vitest';
import { callbackUrlRules, parseCallbackUrl } from '../../../functions/core/callbacks/callback-url.ts';

const parse = (text: string, allowsLoopback = false): string => {
  const parsed = parseCallbackUrl(text, { allowsLoopback });
  return parsed.kind === 'valid' ? parsed.url.href : parsed.why;
};
const long = (length: number): string => 'https://api.partner.example/'.padEnd(length, 'a');

describe('A callback URL', () => {
  test.each([
    ['https://api.partner.example/hooks', 'https://api.partner.example/hooks'],
    ['HTTPS://API.Partner.Example', 'https://api.partner.example/'],
    ['https://api.partner.example:443/', 'https://api.partner.example/'],
    ['https://api.partner.example:8443/a?b=c%20d', 'https://api.partner.example:8443/a?b=c%20d'],
    ['https://api.partner.example:1024/', 'https://api.partner.example:1024/'],
    ['https://a_b.partner.example/', 'https://a_b.partner.example/'],
    ['https://bücher.example/é', 'https://xn--bcher-kva.example/%C3%A9'],
    ['https://@api.partner.example/', 'https://api.partner.example/'],
    ['https://api.partner.example/@user:pass', 'https://api.partner.example/@user:pass'],
    [long(2_048), long(2_048)],
  ])('%j is valid', (text, href) => {
    expect(parse(text)).toBe(href);
  });

  test.each([
    ['', 'malformed'],
    ['api.partner.example/hooks', 'malformed'],
    ['//api.partner.example/hooks', 'malformed'],
    ['https:api.partner.example', 'malformed'],
    ['https:/api.partner.example', 'malformed'],
    ['https://', 'malformed'],
    ['https://api.partner.example:99999/', 'malformed'],
    [' https://api.partner.example/', 'malformed'],
    ['https://api.partner.example/ ', 'malformed'],
    ['https://api.partner.example/a b', 'malformed'],
    ['https://api.part\tner.example/', 'malformed'],
    ['https://api.partner.example/\r\nx-injected: 1', 'malformed'],
    ['https://api.partner.example/\u0000', 'malformed'],
    ['https://api.partner.example\\@evil.example/', 'malformed'],
    [long(2_049), 'too_long'],
    [`https://api.partner.example/${'é'.repeat(400)}`, 'too_long'],
    ['http://api.partner.example/', 'not_https'],
    ['ftp://api.partner.example/', 'not_https'],
    ['file:///etc/passwd', 'not_https'],
    ['https://user@api.partner.example/', 'credentials'],
    ['https://:pass@api.partner.example/', 'credentials'],
    ['https://api.partner.example/#part', 'fragment'],
    ['https://api.partner.example/#', 'fragment'],
    ['https://partner/', 'host'],
    ['https://localhost/', 'host'],
    ['https://api.partner.example./', 'host'],
    ['https://api.partner.example%2e/', 'host'],
    ['https://api.partner.example。/', 'host'],
    ['https://api..example/', 'host'],
    ['https://.partner.example/', 'host'],
    ['https://-a.partner.example/', 'host'],
    ['https://a-.partner.example/', 'host'],
    [`https://${'a'.repeat(64)}.example/`, 'host'],
    [`https://${'a.'.repeat(124)}example/`, 'host'],
    ['https://api.partner.example:25/', 'port'],
    ['https://api.partner.example:0/', 'port'],
    ['https://api.partner.example:1023/', 'port'],
  ] as const)('%j is %s', (text, why) => {
    expect(parse(text)).toBe(why);
    expect(callbackUrlRules).toHaveProperty(why);
  });

  test.each([
    '93.184.215.14',
    '10.0.0.1',
    '169.254.169.254',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0x1',
    '0177.0.0.1',
    '017700000001',
    '１２７.0.0.1',
    '127。0。0。1',
    '127.0.0.1.',
    '1.2.3',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::a00:1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '[2606:4700::1111]',
  ])('that has the address %s in place of a name is refused, in whichever spelling', (address) => {
    expect(parse(`https://${address}/`)).toBe('address');
  });
});

describe('In the local run', () => {
  test.each(['http://127.0.0.1:8080/', 'http://localhost/', 'https://[::1]:8443/hooks', 'http://127.9.8.7:1/'])(
    '%s is valid too',
    (text) => {
      expect(parse(text, true)).toBe(text);
    },
  );

  test.each([
    ['http://api.partner.example/', 'not_https'],
    ['http://10.0.0.1/', 'not_https'],
    ['ftp://localhost/', 'not_https'],
    ['https://10.0.0.1/', 'address'],
    ['http://localhost.partner.example/', 'not_https'],
    ['http://user:pass@localhost/', 'credentials'],
    ['http://localhost/#part', 'fragment'],
    ['http://localhost./', 'not_https'],
  ])('%s is %s', (text, why) => {
    expect(parse(text, true)).toBe(why);
  });
});
