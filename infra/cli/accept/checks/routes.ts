import {
  type Operation,
  allowedMethods,
  documentationOperations,
  partnerOperations,
} from '../../../../functions/contract/routes.ts';
import { type Check, type Fault, fault, same } from '../check.ts';
import { expectHeader, expectProblem, expectStatus } from '../expect-answer.ts';
import type { Answer } from '../send-request.ts';
import type { WebStage } from '../stage.ts';

/** Well-formed, and unknown everywhere. */
export const madeUpToken = `pcg_accept_${'0'.repeat(12)}_${'0'.repeat(43)}`;

const lookAt = 'infra/blueprint/api.ts (unknownRoutes), functions/answer-unknown-route.ts';
const unknownPaths = ['/v1', '/v1/no-such-address', '/v1/cancellations/a/b/c', '/favicon.ico', '/v1//cancellations'];

/** The addresses that the environment has, with a value for each parameter. */
function addressesOf({
  documentation,
}: Pick<WebStage, 'documentation'>): readonly { readonly template: string; readonly path: string }[] {
  const all: readonly Operation[] = [...partnerOperations, ...(documentation === false ? [] : documentationOperations)];
  const templates = new Set(all.map(({ path }) => path));
  return [...templates].map((template) => ({ template, path: template.replaceAll(/\{\w+\}/g, 'accept') }));
}

async function askUnknown({ send }: WebStage, headers: Readonly<Record<string, string>>): Promise<readonly Fault[]> {
  const answers = await Promise.all(unknownPaths.map((path) => send({ path, headers })));
  return answers.flatMap((answer) => expectProblem(answer, 'route_not_found'));
}

/** What a method that an address does not have is answered. */
function expectRefusedMethod(answer: Answer, template: string, method: string): readonly Fault[] {
  const faults = [
    ...(method === 'HEAD' ? expectStatus(answer, 405) : expectProblem(answer, 'method_not_allowed')),
    ...expectHeader(answer, 'allow', allowedMethods(template).join(', ')),
  ];
  return faults.map(({ seen, expected }) => ({ seen: `${method} ${template}: ${seen}`, expected }));
}

/** Addresses and methods, as a REST API routes them. */
export const routeChecks: readonly Check[] = [
  {
    id: 'routes.unknown',
    shows: 'an address that the API does not have: 404 in problem form',
    needs: 'https',
    lookAt,
    run: (stage) => askUnknown(stage, {}),
  },
  {
    id: 'routes.unknown-with-credential',
    shows: 'the same with a Bearer credential, which a REST API takes for an AWS signature: 404 too',
    needs: 'https',
    lookAt,
    run: (stage) => askUnknown(stage, { Authorization: `Bearer ${madeUpToken}` }),
  },
  {
    id: 'routes.unknown-with-signature',
    shows: 'the same with something that looks like an AWS signature: 404 too',
    needs: 'https',
    lookAt,
    run: (stage) =>
      askUnknown(stage, {
        Authorization: `AWS4-HMAC-SHA256 Credential=AKIAACCEPT/20260101/eu-central-1/execute-api/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      }),
  },
  {
    id: 'routes.other-method',
    shows: 'a method that an address does not have: 405 with Allow, with and without a credential',
    needs: 'https',
    lookAt,
    async run(stage) {
      const asked = addressesOf(stage).flatMap((address) =>
        [undefined, madeUpToken].map(async (token) => {
          const answer = await stage.send({
            method: 'PATCH',
            path: address.path,
            ...(token !== undefined && { token }),
          });
          return expectRefusedMethod(answer, address.template, 'PATCH');
        }),
      );
      return (await Promise.all(asked)).flat();
    },
  },
  {
    id: 'routes.head-and-options',
    shows: 'HEAD and OPTIONS, which a browser or a probe sends: 405 with Allow, and no CORS header',
    needs: 'https',
    lookAt,
    async run({ send }) {
      const template = '/v1/cancellations';
      const headers = { Origin: 'https://example.com', 'Access-Control-Request-Method': 'POST' };
      const [head, options] = [
        await send({ method: 'HEAD', path: template }),
        await send({ method: 'OPTIONS', path: template, headers }),
      ];
      return [
        ...expectRefusedMethod(head, template, 'HEAD'),
        ...expectRefusedMethod(options, template, 'OPTIONS'),
        ...same('header access-control-allow-origin', options.headers['access-control-allow-origin'], undefined),
      ];
    },
  },
  {
    id: 'routes.trailing-slash',
    shows: 'one slash at the end of an address makes no difference; a page sends its reader to the address without it',
    needs: 'https',
    lookAt: 'infra/blueprint/api.ts, functions/pages/serve-documentation.ts',
    async run({ send, documentation }) {
      const [plain, slashed] = [
        await send({ method: 'POST', path: '/v1/cancellations', body: {} }),
        await send({ method: 'POST', path: '/v1/cancellations/', body: {} }),
      ];
      const routed = [plain, slashed].flatMap((answer) => expectProblem(answer, 'unauthorized'));
      if (documentation === false) return routed;
      const page = await send({ path: '/docs/' });
      return [...routed, ...expectStatus(page, 308), ...expectHeader(page, 'location', '../docs')];
    },
  },
  {
    id: 'routes.method-override',
    shows: 'X-HTTP-Method-Override does not lead past the credential',
    needs: 'https',
    lookAt,
    async run({ send }) {
      const headers = { 'X-HTTP-Method-Override': 'POST' };
      const answer = await send({ path: '/v1/cancellations', headers });
      return [401, 405].includes(answer.status) ? [] : fault(`status ${answer.status}`, 'status 401 or 405');
    },
  },
];
