import type { Program } from '../support/debian.ts';
import { exchange, type Fields } from '../support/http.ts';
import type { Answer, Person } from '../support/person.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ProxyProcess, type Recipe } from './proxy.ts';
import { RecordedServer } from './recorded-server.ts';

interface Options {
  /** Environment variables for Soku. */
  env?: Record<string, string>;
  edit?: (text: string) => string;
}

/** Options of a test request. */
interface Ask {
  method?: string;
  path?: string;
  /** The key to send. */
  key?: string;
  fields?: Fields;
  body?: string;
  from?: string;
}

/** A client's view of a proxy. */
class Front {
  readonly proxy: ProxyProcess;
  readonly api: RecordedServer;

  constructor(proxy: ProxyProcess, api: RecordedServer) {
    this.proxy = proxy;
    this.api = api;
  }

  async ask({ path = '/orders?page=2', key, fields = [], ...rest }: Ask = {}): Promise<Answer> {
    const own: Fields = key === undefined ? [] : [['Authorization', `Bearer ${key}`]];
    return exchange(`${this.proxy.url}${path}`, { ...rest, fields: [...own, ...fields] });
  }
}

/** A proxy, an API and a real Soku. */
export class Scene extends Front {
  soku: TestServer;
  readonly ada: Person;
  readonly #env: Record<string, string>;

  private constructor(
    proxy: ProxyProcess,
    api: RecordedServer,
    soku: TestServer,
    ada: Person,
    env: Record<string, string>,
  ) {
    super(proxy, api);
    this.soku = soku;
    this.ada = ada;
    this.#env = env;
  }

  static async start(recipe: Recipe, program: Program, { env = {}, edit }: Options = {}): Promise<Scene> {
    const own = { TRUST_PROXY: '127.0.0.1', ...env };
    const soku = await startServer({ env: own });
    const api = await RecordedServer.start();
    const where = {
      soku: Number(new URL(soku.url).port),
      api: api.port,
      ...(edit === undefined ? {} : { edit }),
    };
    try {
      const ada = await soku.signIn();
      return new Scene(await ProxyProcess.start(recipe, program, where), api, soku, ada, own);
    } catch (error) {
      // Otherwise running servers would keep the test from ending.
      await Promise.all([soku.stop(), api.stop()]);
      throw error;
    }
  }

  /** Restarts Soku on the same port and data after it was killed. */
  async restartSoku(): Promise<void> {
    const { dataDir, url } = this.soku;
    this.soku = await startServer({ env: { ...this.#env, PORT: new URL(url).port }, dataDir });
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all([this.soku.stop(), this.api.stop()]);
  }
}

/** A proxy, an API, and a stand-in for Soku with scripted responses. */
export class StandInScene extends Front {
  readonly standIn: RecordedServer;

  private constructor(proxy: ProxyProcess, api: RecordedServer, standIn: RecordedServer) {
    super(proxy, api);
    this.standIn = standIn;
  }

  static async start(recipe: Recipe, program: Program): Promise<StandInScene> {
    const [standIn, api] = await Promise.all([RecordedServer.start(), RecordedServer.start()]);
    const proxy = await ProxyProcess.start(recipe, program, { soku: standIn.port, api: api.port });
    return new StandInScene(proxy, api, standIn);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all([this.standIn.stop(), this.api.stop()]);
  }
}
