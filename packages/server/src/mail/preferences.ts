import type { Actor } from '@soku/contract/audit';
import {
  type MailKind,
  type Notifications,
  type OptionalMail,
  optionalMailSchema,
} from '@soku/contract/notifications';
import type { Kysely } from 'kysely';
import { accountEvent } from '../accounts/account-events.ts';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { appendEvent, diffDetails } from '../events/events.ts';

/** Whether an email is sent. Emails about security cannot be turned off. */
export function isWanted(kind: MailKind, muted: ReadonlySet<string> = new Set()): boolean {
  return !isOptionalMail(kind) || !muted.has(kind);
}

/** Whether members can turn off emails of this kind. */
export function isOptionalMail(kind: MailKind): kind is OptionalMail {
  return optionalMailSchema.safeParse(kind).success;
}

/** The kinds that each of these accounts has turned off. Accounts without a choice are omitted. */
export async function readMuted(
  db: Kysely<Tables>,
  userIds: readonly string[],
): Promise<Map<string, ReadonlySet<string>>> {
  if (userIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('mail_preference')
    .select(['user_id', 'muted'])
    .where('user_id', 'in', userIds)
    .execute();
  return new Map(rows.map(({ user_id, muted }) => [user_id, new Set(muted.split(' '))]));
}

interface Replaced {
  preferences: Notifications;
  /** Whether they differ from those before. */
  isChanged: boolean;
}

/** How accounts want their emails. */
export class MailPreferences {
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;

  /** @param now epoch ms */
  constructor(db: Kysely<Tables>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  async read(userId: string): Promise<Notifications> {
    return readPreferences(this.#db, userId);
  }

  /** Replaces the preferences of the actor's account. */
  async replace(actor: Actor, preferences: Notifications): Promise<Replaced> {
    return this.#change(actor.id, actor, () => preferences);
  }

  /**
   * Turns a kind off, for the holder of a link in an email.
   *
   * @param actor the account. Its name is read here
   */
  async unsubscribe(
    userId: string,
    kind: OptionalMail,
    origin: Omit<Actor, 'kind' | 'id' | 'name'>,
  ): Promise<Replaced> {
    const actor: Actor = { kind: 'person', id: userId, name: '', ...origin };
    return this.#change(userId, actor, (before) => ({
      ...before,
      mails: { ...before.mails, [kind]: false },
    }));
  }

  async #change(
    userId: string,
    actor: Actor,
    change: (before: Notifications) => Notifications,
  ): Promise<Replaced> {
    return this.#db.transaction().execute(async (db) => {
      await lockRow(db, 'user', userId);
      const user = await db.selectFrom('user').select('name').where('id', '=', userId).executeTakeFirst();
      const before = await readPreferences(db, userId);
      // The account was removed, so there is nothing to change.
      if (user === undefined) return { preferences: before, isChanged: false };
      const after = change(before);
      const changes = diffDetails(flat(before), flat(after));
      if (changes === undefined) return { preferences: before, isChanged: false };
      const muted = optionalMailSchema.options.filter((kind) => !after.mails[kind]).join(' ');
      const row = { time_zone: after.timeZone, muted };
      await db
        .insertInto('mail_preference')
        .values({ user_id: userId, ...row })
        .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
        .execute();
      const account = { id: userId, name: user.name };
      const event = accountEvent(
        'account.notifications_updated',
        account,
        { ...actor, name: user.name },
        this.#now(),
        { changes },
      );
      await appendEvent(db, event);
      return { preferences: after, isChanged: true };
    });
  }
}

function flat({ mails, timeZone }: Notifications) {
  return { ...mails, timeZone };
}

async function readPreferences(db: Kysely<Tables>, userId: string): Promise<Notifications> {
  const row = await db
    .selectFrom('mail_preference')
    .select(['time_zone', 'muted'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
  const muted = row?.muted.split(' ') ?? [];
  const sent = (kind: OptionalMail) => !muted.includes(kind);
  return {
    mails: {
      keyCreated: sent('keyCreated'),
      keyRotated: sent('keyRotated'),
      keyRevoked: sent('keyRevoked'),
      keyExpiring: sent('keyExpiring'),
      keyIdle: sent('keyIdle'),
      rotationDue: sent('rotationDue'),
      webhookDisabled: sent('webhookDisabled'),
    },
    timeZone: row?.time_zone ?? null,
  };
}
