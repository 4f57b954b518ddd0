import type { Environment } from '../../blueprint/environment-schema.ts';
import type { Place } from '../places/place.ts';
import type { AskAws } from '../preflight/ask-aws.ts';
import type { Bus } from './bus.ts';
import type { OwnPartners } from './own-partners.ts';
import type { Send } from './send-request.ts';

/** What a check works with that has only the address of the API. */
export interface WebStage {
  /** Ends in a slash. */
  readonly url: URL;
  readonly send: Send;
  /** Undefined where the environment is not known. */
  readonly documentation: boolean | undefined;
  readonly signal: AbortSignal;
}

/** The same with the operator's credentials: partners of this run, the tables, queues and the bus. */
export interface OperatorStage extends WebStage {
  readonly place: Place;
  readonly partners: OwnPartners;
  readonly bus: Bus;
}

/** The same in AWS. */
export interface AwsStage extends OperatorStage {
  readonly environment: Environment;
  readonly ask: AskAws;
  /** Whether the check that sends thousands of requests was asked for. */
  readonly firewall: boolean;
}
