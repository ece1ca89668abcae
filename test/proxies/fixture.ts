import type { Program } from '../support/debian.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import type { HttpResponse, Person } from '../support/person.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { ProxyProcess, type Recipe } from './proxy.ts';
import { RecordedServer } from './recorded-server.ts';

/** Options of a test request. */
interface RequestOptions {
  method?: string;
  path?: string;
  /** The key to send. */
  key?: string;
  fields?: Fields;
  body?: string;
  from?: string;
}

/** A proxy in front of an API, as a client uses it. */
class ProxiedApi {
  readonly proxy: ProxyProcess;
  readonly api: RecordedServer;

  constructor(proxy: ProxyProcess, api: RecordedServer) {
    this.proxy = proxy;
    this.api = api;
  }

  async send({
    path = '/orders?page=2',
    key,
    fields = [],
    ...rest
  }: RequestOptions = {}): Promise<HttpResponse> {
    const credentials: Fields = key === undefined ? [] : [['Authorization', `Bearer ${key}`]];
    return callWithFields(`${this.proxy.url}${path}`, { ...rest, fields: [...credentials, ...fields] });
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.api.stop();
  }
}

/** A proxy, an API and a real Soku. */
export class ProxyFixture extends ProxiedApi {
  soku: TestServer;
  readonly ada: Person;
  readonly #env: Record<string, string>;

  private constructor(proxied: ProxiedApi, soku: TestServer, ada: Person, env: Record<string, string>) {
    super(proxied.proxy, proxied.api);
    this.soku = soku;
    this.ada = ada;
    this.#env = env;
  }

  /** @param env environment variables for Soku */
  static async start(
    recipe: Recipe,
    program: Program,
    env: Record<string, string> = {},
  ): Promise<ProxyFixture> {
    const variables = { TRUST_PROXY: '127.0.0.1', ...env };
    const soku = await startServer({ env: variables });
    try {
      const ada = await openSession(soku);
      return new ProxyFixture(await startProxiedApi(recipe, program, soku), soku, ada, variables);
    } catch (error) {
      // A running server would keep the test process from ending.
      await soku.stop();
      throw error;
    }
  }

  /** Starts another proxy with its own API, in front of the same Soku. The caller must call `stop`. */
  async startSecondProxy(
    recipe: Recipe,
    program: Program,
    edit: (text: string) => string,
  ): Promise<ProxiedApi> {
    return startProxiedApi(recipe, program, this.soku, edit);
  }

  /** Restarts Soku on the same port and data after it was killed. */
  async restartSoku(): Promise<void> {
    const { dataDir, url } = this.soku;
    this.soku = await startServer({ env: { ...this.#env, PORT: new URL(url).port }, dataDir });
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.soku.stop();
  }
}

async function startProxiedApi(
  recipe: Recipe,
  program: Program,
  soku: TestServer,
  edit?: (text: string) => string,
): Promise<ProxiedApi> {
  const api = await RecordedServer.start();
  try {
    const placement = { soku: Number(new URL(soku.url).port), api: api.port, ...(edit && { edit }) };
    return new ProxiedApi(await ProxyProcess.start(recipe, program, placement), api);
  } catch (error) {
    await api.stop();
    throw error;
  }
}

/** A proxy, an API, and a stand-in for Soku with scripted responses. */
export class ScriptedSokuFixture extends ProxiedApi {
  readonly standIn: RecordedServer;

  private constructor(proxy: ProxyProcess, api: RecordedServer, standIn: RecordedServer) {
    super(proxy, api);
    this.standIn = standIn;
  }

  static async start(recipe: Recipe, program: Program): Promise<ScriptedSokuFixture> {
    const [standIn, api] = await Promise.all([RecordedServer.start(), RecordedServer.start()]);
    const proxy = await ProxyProcess.start(recipe, program, { soku: standIn.port, api: api.port });
    return new ScriptedSokuFixture(proxy, api, standIn);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.standIn.stop();
  }
}
