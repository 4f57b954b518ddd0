import { escapeHtml, renderProse } from './markup.ts';
import { listOf, type Part, partOf, partsOf, textOf } from './openapi-document.ts';
import { type Field, fieldsOf, typeOf } from './read-schema.ts';

/** The fields of a body, with those in them. */
export function renderFields(fields: readonly Field[]): string {
  const items = fields.map(
    ({ name, type, isRequired, text, fields: inner }) =>
      `<dt><code>${escapeHtml(name)}</code> <span class="type">${escapeHtml(type)}${isRequired ? '' : ', optional'}</span></dt><dd>${renderProse(text)}${inner.length > 0 ? renderFields(inner) : ''}</dd>`,
  );
  return `<dl class="fields">${items.join('\n')}</dl>`;
}

/** What a reader fills in: a parameter, or a field of the body. */
interface Input {
  readonly place: string;
  readonly name: string;
  readonly schema: Part;
  readonly text: string;
  readonly isRequired: boolean;
  /** What it begins with: a value of the sample. What is not in the sample begins empty; its example is in its hint. */
  readonly value: string;
  readonly example: string;
}

/**
 * The inputs of an operation: parameters and the body's fields, required ones first.
 * @param sample a body
 */
export function inputsOf(operation: Part, sample: Part): readonly Input[] {
  const parameters = listOf(operation['parameters']).map(
    ({ name, in: place, schema, description, required, example }) =>
      readInput(textOf(place), textOf(name), partOf(schema), {
        text: textOf(description),
        example,
        isRequired: required === true,
        isFilled: required === true,
      }),
  );
  const body = bodySchemaOf(operation);
  const fields = fieldsOf(body, 1).map(({ name, text, isRequired }) => {
    const schema = partOf(partOf(body['properties'])[name]);
    const example = sample[name] ?? firstOf(schema['examples']);
    return readInput('body', name, schema, { text, example, isRequired, isFilled: name in sample });
  });
  return [...parameters, ...fields].toSorted((one, other) => Number(other.isRequired) - Number(one.isRequired));
}

const firstOf = (values: unknown): unknown => (Array.isArray(values) ? values[0] : undefined);

function readInput(
  place: string,
  name: string,
  schema: Part,
  {
    example,
    isFilled,
    ...how
  }: Pick<Input, 'text' | 'isRequired'> & { readonly example: unknown; readonly isFilled: boolean },
): Input {
  const shown = typeof example === 'string' ? example : example === undefined ? '' : JSON.stringify(example);
  return { place, name, schema, ...how, value: isFilled ? shown : '', example: shown };
}

export function bodySchemaOf(operation: Part): Part {
  const [, media] = partsOf(partOf(operation['requestBody'])['content'])[0] ?? [];
  return partOf(media?.['schema']);
}

const places: Readonly<Record<string, string>> = { header: 'header', query: 'in the address', path: 'in the address' };

/** @param id of the operation, which makes the field's own id unique */
export function renderInput(id: string, { place, name, schema, text, isRequired, value, example }: Input): string {
  const field = `${id}-${name}`;
  const note = [places[place] ?? '', isRequired ? '' : 'optional'].filter((word) => word !== '').join(', ');
  const hint = value !== '' || example === '' ? text : `${text} For example \`${example}\`.`;
  const kind = typeOf(schema).split(' or ')[0] ?? 'string';
  return `<div class="field"><label for="${field}"><code>${escapeHtml(name)}</code> <span class="type">${note}</span></label><input class="code-value" id="${field}" name="${escapeHtml(name)}" data-in="${escapeHtml(place)}" data-type="${escapeHtml(kind)}" value="${escapeHtml(value)}" aria-describedby="${field}-hint" autocomplete="off" autocapitalize="off" spellcheck="false"${isRequired ? ' required' : ''}><p class="hint" id="${field}-hint">${renderProse(hint)}</p></div>`;
}
