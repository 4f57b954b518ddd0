/**
 * An error answer of S3.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export class S3Error extends Error {
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: string, message: string, status = 400, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** What S3 can do and this does not play: never a silent success. */
export function notPlayed(what: string): S3Error {
  return new S3Error('NotImplemented', `The local S3 does not play ${what}.`, 501);
}
