// The API as a client without an SDK sees it, held to the OpenAPI document that it serves: a body that is taken, every answer
// and every snapshot of an event stream must be as the document says, and have no member that it does not know.
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Api as FreeApi } from '../../../tools/stack.mjs';

const documentId = 'https://callsheet.test/openapi.json';

export class Contract {
  static async of(url) {
    const answer = await fetch(new URL('/openapi.json', url));
    assert.equal(answer.status, 200);
    return new Contract(await answer.json());
  }

  constructor(document) {
    this.document = document;
    this.ajv = addFormats(new Ajv({ strict: false }));
    this.ajv.addSchema(closed(structuredClone(document)), documentId);
    this.paths = Object.keys(document.paths)
      .sort((a, b) => a.split('{').length - b.split('{').length)
      .map((path) => ({ path, pattern: new RegExp(`^${path.split(/\{[^}]*\}/).map(escape).join('[^/]+')}$`) }));
  }

  // The operation of a request; undefined: the document knows none.
  find(method, where) {
    const { pathname } = new URL(where, 'http://x');
    const path = this.paths.find(({ pattern }) => pattern.test(pathname))?.path;
    return path && this.document.paths[path][method.toLowerCase()] && ['paths', path, method.toLowerCase()];
  }

  // `at`: names on the way from the document to a schema.
  check(at, value, what) {
    const validate = this.ajv.compile({ $ref: `${documentId}#/${at.map((name) => encodeURIComponent(String(name).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}` });
    if (!validate(value)) assert.fail(`${what} is not as the document says: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(value)?.slice(0, 2000)}`);
  }

  get(at) {
    return at.reduce((value, name) => value?.[name], this.document);
  }

  checkRequest(operation, body, what) {
    const at = [...operation, 'requestBody', 'content', 'application/json', 'schema'];
    assert.ok(this.get(at), `${what} takes no body`);
    this.check(at, body, `the body of ${what}`);
  }

  checkAnswer(operation, { status, json, headers }, what) {
    const responses = this.get([...operation, 'responses']);
    const given = responses[status] ? String(status) : 'default';
    assert.ok(given !== 'default' || status >= 400, `${what}: the document has no ${status}`);
    const ref = responses[given].$ref;
    const response = ref ? ref.slice(2).split('/') : [...operation, 'responses', given];
    if (!headers.get('content-type')?.startsWith('application/json')) return;
    this.check([...response, 'content', 'application/json', 'schema'], json, `${what}: the answer ${status}`);
  }
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// Answers may get new members some day, but not unnoticed.
function closed(value) {
  if (Array.isArray(value)) value.forEach(closed);
  else if (value && typeof value === 'object') {
    Object.values(value).forEach(closed);
    if ([value.type].flat().includes('object') && value.properties && value.additionalProperties === undefined && value.unevaluatedProperties === undefined) value.additionalProperties = false;
  }
  return value;
}

export class Api extends FreeApi {
  contract() {
    return (this.promised ??= Contract.of(this.url));
  }

  async request(method, where, body, headers) {
    const answer = await super.request(method, where, body, headers);
    const contract = await this.contract();
    const operation = contract.find(method, where);
    const what = `${method} ${where}`;
    if (!operation) {
      assert.ok([404, 405].includes(answer.status), `${what}, which the document does not know, was answered with ${answer.status}`);
      return answer;
    }
    if (answer.status < 300 && body !== undefined && !(body instanceof Uint8Array)) contract.checkRequest(operation, typeof body === 'string' ? JSON.parse(body) : body, what);
    contract.checkAnswer(operation, answer, what);
    return answer;
  }

  async *events(id) {
    const contract = await this.contract();
    for await (const event of super.events(id)) {
      if (event.event === 'snapshot') contract.check(['components', 'schemas', 'Execution'], event.data, `the snapshot of ${id}`);
      yield event;
    }
  }
}
