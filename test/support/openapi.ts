import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { call, type HttpResponse } from './person.ts';

const operationSchema = z.looseObject({
  operationId: z.string(),
  responses: z.record(
    z.string(),
    z.looseObject({
      content: z.record(z.string(), z.unknown()).optional(),
      headers: z.record(z.string(), z.looseObject({ required: z.boolean().optional() })).default({}),
    }),
  ),
});

const documentSchema = z.looseObject({
  openapi: z.string(),
  components: z.looseObject({ schemas: z.unknown() }),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

export interface Operation {
  method: string;
  /** The path with parameters in braces. */
  path: string;
  responses: z.infer<typeof operationSchema>['responses'];
}

/** The header fields that the document declares; the others are standard HTTP fields of all responses. */
const declaredFields = /^(x-soku-.*|(x-)?ratelimit(-.*)?|www-authenticate|retry-after|x-request-id)$/;

/** Fails when a field is not documented, or a required one is missing. */
function checkHeaders(
  description: string,
  documented: Record<string, { required?: boolean | undefined }>,
  actual: Headers,
) {
  const required = Object.entries(documented).flatMap(([name, header]) => (header.required ? [name] : []));
  const missing = required.filter((name) => !actual.has(name));
  assert.deepEqual(missing, [], `${description} lacks header fields`);
  const known = new Set(Object.keys(documented).map((name) => name.toLowerCase()));
  const unknown = [...actual.keys()].filter((name) => declaredFields.test(name) && !known.has(name));
  assert.deepEqual(unknown, [], `${description} has undocumented header fields`);
}

/** The server's own OpenAPI document, against which its responses are checked. */
export class Specification {
  readonly document: Record<string, unknown>;
  readonly operations: readonly Operation[];
  readonly #validators: Validators;

  constructor(document: unknown) {
    const parsed = documentSchema.parse(document);
    this.document = parsed;
    this.operations = Object.entries(parsed.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        responses: operation.responses,
      })),
    );
    // Other parts name the deployment, so they differ between servers.
    const schemas = JSON.stringify([parsed.paths, parsed.components.schemas]);
    this.#validators = validators.get(schemas) ?? new Validators(parsed);
    validators.set(schemas, this.#validators);
  }

  static async of(server: { url: string }): Promise<Specification> {
    return new Specification((await call(`${server.url}/openapi.json`)).body);
  }

  /**
   * The operation of a request; undefined when the document has none. A path without parameters has precedence, in
   * whatever order the document lists them (OpenAPI 3.1 section 4.8.8.2).
   */
  find(method: string, path: string): Operation | undefined {
    const wanted = method === 'HEAD' ? 'GET' : method;
    const [pathname = ''] = path.split('?', 1);
    const ofMethod = this.operations.filter((operation) => operation.method === wanted);
    return (
      ofMethod.find((operation) => operation.path === pathname) ??
      ofMethod.find((operation) =>
        new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
      )
    );
  }

  /** Fails unless the response's status, headers and body are documented for this operation. */
  check(method: string, path: string, response: HttpResponse): void {
    const operation = this.find(method, path);
    assert.ok(operation, `${method} ${path} is not in the document`);
    const description = `${method} ${operation.path} with status ${response.status}`;
    const documented = operation.responses[String(response.status)];
    assert.ok(documented, `${description} is not in the document: ${response.text}`);
    checkHeaders(description, documented.headers, response.headers);
    if (method === 'HEAD' || documented.content === undefined) {
      assert.equal(response.text, '', `${description} has a body`);
      return;
    }
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';', 1);
    assert.ok(Object.keys(documented.content).includes(type), `${description} is not documented as ${type}`);
    const errors = this.#validators.check(operation, type, response);
    assert.ok(errors === undefined, `${description}: ${errors} in ${response.text}`);
  }
}

/** Checks bodies against the schemas of a document. */
class Validators {
  /** test/contract/openapi.test.ts validates the document itself. Repeating that here would slow all test files. */
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, meta: false, validateSchema: false });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: z.infer<typeof documentSchema>) {
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'openapi.json');
  }

  /** @returns what is wrong with the body */
  check(
    { path, method }: Operation,
    type: string,
    { status, body }: { status: number; body: unknown },
  ): string | undefined {
    const steps = [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      type,
      'schema',
    ];
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('/', '~1'))).join('/');
    const validate = this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `openapi.json#/${pointer}` });
    this.#compiled.set(pointer, validate);
    return validate(body) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}

/** By their schemas. Compiling them takes longer than most tests, so servers with the same schemas share them. */
const validators = new Map<string, Validators>();
