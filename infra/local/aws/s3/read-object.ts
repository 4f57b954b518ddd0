import { isChecksumHeader } from './checksums.ts';
import type { Version } from './object-store.ts';
import { bucketOf, objectOf, requireAction, type S3Answer, type S3Request, versionHeader } from './operation.ts';
import { S3Error } from './s3-error.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export function getObject(request: S3Request): S3Answer {
  return readObject(request, (version) => request.store.body(version));
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export function headObject(request: S3Request): S3Answer {
  return readObject(request, () => undefined);
}

function readObject(request: S3Request, read: (version: Version) => Buffer | undefined): S3Answer {
  const { headers, query } = request;
  requireAction(request, query.has('versionId') ? 's3:GetObjectVersion' : 's3:GetObject');
  bucketOf(request);
  const version = objectOf(request);
  const [same, other] = [headers['if-match'], headers['if-none-match']];
  if (same !== undefined && same !== version.etag) {
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }
  const described = headersOf(request, version);
  if (other === version.etag) return { status: 304, headers: described };
  const range = rangeOf(headers.range, version.size);
  const body = read(version);
  if (range === undefined) {
    return { headers: { ...described, 'Content-Length': String(version.size) }, ...(body !== undefined && { body }) };
  }
  const [from, to] = range;
  return {
    status: 206,
    headers: {
      ...described,
      'Content-Range': `bytes ${from}-${to}/${version.size}`,
      'Content-Length': String(to - from + 1),
    },
    ...(body !== undefined && { body: body.subarray(from, to + 1) }),
  };
}

function headersOf(request: S3Request, version: Version): Record<string, string> {
  const { etag, writtenMs, retention } = version;
  // Checksums are of the whole object, and shown only when they are asked for.
  const showsChecksums = request.headers['x-amz-checksum-mode'] === 'ENABLED' && request.headers.range === undefined;
  const shown = Object.entries(version.headers).filter(([name]) => showsChecksums || !isChecksumHeader(name));
  return {
    ...Object.fromEntries(shown),
    'Accept-Ranges': 'bytes',
    ETag: etag,
    'Last-Modified': new Date(writtenMs).toUTCString(),
    ...versionHeader(version),
    ...(retention !== undefined &&
      request.may('s3:GetObjectRetention') && {
        'x-amz-object-lock-mode': retention.mode,
        'x-amz-object-lock-retain-until-date': new Date(retention.untilMs).toISOString(),
      }),
  };
}

/** The first and the last byte (RFC 9110, section 14). Anything but one range is ignored, as by S3. */
function rangeOf(range: string | undefined, size: number): readonly [number, number] | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  if (from <= to) return [from, to];
  const unsatisfied = { 'Content-Range': `bytes */${size}` };
  throw new S3Error('InvalidRange', 'The requested range is not satisfiable', 416, unsatisfied);
}
