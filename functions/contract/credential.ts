/** A partner's credential as it is sent: `Bearer pcg_<environment>_<keyId>_<secret>`. */
export interface SentCredential {
  readonly environment: string;
  readonly keyId: string;
  readonly secret: string;
}

/**
 * The one spelling of an `Authorization` header: the scheme in any case (RFC 9110, section 11.1), one space, the rest
 * exactly. The authorizer, API Gateway and the firewall all use this expression, so that no two of them disagree about a
 * header. It means the same in JavaScript, in Java (API Gateway) and in PCRE without groups (AWS WAF).
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/waf-regex-pattern-support.html
 */
export const authorizationForm = '^[Bb][Ee][Aa][Rr][Ee][Rr] pcg_[a-z]{1,16}_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}$';

const form = new RegExp(authorizationForm);
const SCHEME = 'Bearer pcg_'.length;
const SECRET = -43;
const KEY_ID = SECRET - '_'.length - 12;

/** @returns undefined for a header of another spelling */
export function readAuthorization(header: string): SentCredential | undefined {
  if (!form.test(header)) return undefined;
  return {
    environment: header.slice(SCHEME, KEY_ID - '_'.length),
    keyId: header.slice(KEY_ID, SECRET - '_'.length),
    secret: header.slice(SECRET),
  };
}
