import { describe, expectTypeOf, it } from 'vitest';
import type * as z from 'zod/mini';
import type * as client from '../../client/src/index.ts';
import type {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  problemSchema,
  registeredJobSchema,
  timelineEntrySchema,
} from '../../functions/contract/answers.ts';
import type { cancelRequestSchema, registerJobSchema } from '../../functions/contract/requests.ts';
import type * as service from '../../functions/contract/problems.ts';

/** What a schema takes before it is checked: as it travels, without brands. */
type Sent<Schema extends z.ZodMiniType> = ReadonlyDeep<z.input<Schema>>;
type ReadonlyDeep<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> }
    : Value;
type Problem = Sent<typeof problemSchema>;

/** Held by the compiler (`npm run types`); there is nothing to run. */
describe('the client’s types are the contract’s', () => {
  it('in what the service answers', () => {
    expectTypeOf<ReadonlyDeep<client.Cancellation>>().toEqualTypeOf<Sent<typeof cancellationSchema>>();
    expectTypeOf<ReadonlyDeep<client.TimelineEntry>>().toEqualTypeOf<Sent<typeof timelineEntrySchema>>();
    expectTypeOf<ReadonlyDeep<client.CancellationWithTimeline>>().toEqualTypeOf<
      Sent<typeof cancellationWithTimelineSchema>
    >();
    expectTypeOf<readonly ReadonlyDeep<client.CancellationWithTimeline>[]>().toEqualTypeOf<
      Sent<typeof cancellationListSchema>['cancellations']
    >();
    expectTypeOf<ReadonlyDeep<client.RegisteredJob>>().toEqualTypeOf<Sent<typeof registeredJobSchema>>();
  });

  it('in what its problems say', () => {
    expectTypeOf<client.ProblemCode>().toEqualTypeOf<service.ProblemCode>();
    expectTypeOf<readonly ReadonlyDeep<client.Candidate>[]>().toEqualTypeOf<NonNullable<Problem['candidates']>>();
    expectTypeOf<readonly ReadonlyDeep<client.FieldError>[]>().toEqualTypeOf<NonNullable<Problem['errors']>>();
    expectTypeOf<ReadonlyDeep<client.Cancellation>>().toEqualTypeOf<NonNullable<Problem['cancellation']>>();
    expectTypeOf<client.TooLate['jobStatus']>().toEqualTypeOf<NonNullable<Problem['jobStatus']> | null>();
  });

  it('in what callers send', () => {
    expectTypeOf<ReadonlyDeep<client.CancelRequest>>().toEqualTypeOf<Sent<typeof cancelRequestSchema>>();
    expectTypeOf<ReadonlyDeep<client.RegisterJobRequest>>().toEqualTypeOf<Sent<typeof registerJobSchema>>();
  });
});
