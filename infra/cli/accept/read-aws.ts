import { CannotDo } from '../command.ts';
import type { AwsCall, AwsService } from '../preflight/ask-aws.ts';
import type { AwsStage } from './stage.ts';

/** What AWS answered, or why a check cannot be made with these credentials. */
export type Read = { readonly text: string } | { readonly skipped: string };

/**
 * @param action what IAM calls the permission
 * @throws CannotDo when AWS refuses the call otherwise than for want of a permission, or does not answer
 */
export async function readAws(
  { ask }: Pick<AwsStage, 'ask'>,
  service: AwsService,
  action: string,
  call: AwsCall,
): Promise<Read> {
  const answer = await ask(service, action, call);
  switch (answer.kind) {
    case 'answer':
      return { text: answer.text };
    case 'denied':
      return { skipped: `needs the permission ${answer.action}` };
    case 'silent':
      throw new CannotDo(1, `${action}: ${answer.why}`);
    case 'error':
      throw new CannotDo(1, `${action}: ${answer.code}: ${answer.message}`);
  }
}

/** The texts of all elements of a name, which hold no other element, in order. */
export function allInXml(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => unescapeXml(text));
}

function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'" };
  return text.replaceAll(/&(#39|\w+);/g, (entity, name: string) => entities[name] ?? entity);
}
