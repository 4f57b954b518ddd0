import { describe, expectTypeOf, test } from 'vitest';
import type * as z from 'zod/mini';
import type * as client from '../../client/src/index.ts';
import type {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  previewListSchema,
  problemSchema,
  registeredJobSchema,
  timelineEntrySchema,
} from '../../functions/contract/answers.ts';
import type { callbackBodySchema } from '../../functions/contract/callbacks.ts';
import type { cancelRequestSchema, registerJobSchema } from '../../functions/contract/requests.ts';
import type * as service from '../../functions/contract/problems.ts';

/** What a schema accepts: a message as it is sent, without brands. */
type Sent<Schema extends z.ZodMiniType> = ReadonlyDeep<z.input<Schema>>;
type ReadonlyDeep<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> }
    : Value;
type Problem = Sent<typeof problemSchema>;

/** The compiler checks these (`npm run types`); they do nothing when they run. */
describe('the client’s types equal the contract’s', () => {
  test('for what the service answers', () => {
    expectTypeOf<ReadonlyDeep<client.Cancellation>>().toEqualTypeOf<Sent<typeof cancellationSchema>>();
    expectTypeOf<ReadonlyDeep<client.TimelineEntry>>().toEqualTypeOf<Sent<typeof timelineEntrySchema>>();
    expectTypeOf<ReadonlyDeep<client.CancellationWithTimeline>>().toEqualTypeOf<
      Sent<typeof cancellationWithTimelineSchema>
    >();
    expectTypeOf<readonly ReadonlyDeep<client.CancellationWithTimeline>[]>().toEqualTypeOf<
      Sent<typeof cancellationListSchema>['cancellations']
    >();
    expectTypeOf<readonly ReadonlyDeep<client.Refusal>[]>().toEqualTypeOf<
      Sent<typeof cancellationListSchema>['refusals']
    >();
    expectTypeOf<readonly ReadonlyDeep<client.Preview>[]>().toEqualTypeOf<Sent<typeof previewListSchema>['previews']>();
    expectTypeOf<ReadonlyDeep<client.RegisteredJob>>().toEqualTypeOf<Sent<typeof registeredJobSchema>>();
  });

  test('for what its problems say', () => {
    expectTypeOf<client.ProblemCode>().toEqualTypeOf<service.ProblemCode>();
    expectTypeOf<readonly ReadonlyDeep<client.Candidate>[]>().toEqualTypeOf<NonNullable<Problem['candidates']>>();
    expectTypeOf<readonly ReadonlyDeep<client.FieldError>[]>().toEqualTypeOf<NonNullable<Problem['errors']>>();
    expectTypeOf<ReadonlyDeep<client.Cancellation>>().toEqualTypeOf<NonNullable<Problem['cancellation']>>();
    expectTypeOf<client.TooLate['jobStatus']>().toEqualTypeOf<NonNullable<Problem['jobStatus']> | null>();
  });

  test('for callbacks, but for the id, which is a header', () => {
    type WithoutId<Type> = Type extends client.Callback ? Omit<Type, 'id'> : never;
    expectTypeOf<ReadonlyDeep<WithoutId<client.Callback>>>().toEqualTypeOf<Sent<typeof callbackBodySchema>>();
  });

  test('for what callers send', () => {
    expectTypeOf<ReadonlyDeep<client.CancelRequest>>().toEqualTypeOf<Sent<typeof cancelRequestSchema>>();
    expectTypeOf<ReadonlyDeep<client.RegisterJobRequest>>().toEqualTypeOf<Sent<typeof registerJobSchema>>();
  });
});
