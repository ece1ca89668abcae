import type { Generated } from 'kysely';

/** How an account wants its emails. Without a row: all of them, with times in UTC. */
interface MailPreferenceTable {
  user_id: string;
  /** A name of the IANA time zone database; null: none was chosen. */
  time_zone: string | null;
  /** The kinds of emails that are turned off, space-separated. */
  muted: string;
}

/** The end of the part of each chain whose events have become emails. A chain without a row is new: none of it has. */
interface MailCursorTable {
  chain: string;
  /** The sequence of the last event that was read. Only grows. */
  sequence: number;
}

/** An email to one account. Deleted 30 days after its end. */
interface MailTable {
  /** `mail_` and 26 characters, also in its Message-ID. Written once. */
  id: string;
  user_id: string;
  /** The account must still be a member of it when the email is sent; null for emails about the account itself. */
  workspace_id: string | null;
  /** Emails with the same group are about the same kind of action by the same actor. */
  group_key: string;
  /** JSON: a notice (mail/notice.ts). Extended by further events of the group until the first attempt. */
  notice: string;
  created_at: number;
  /** Epoch ms; null: it was sent or abandoned. See outbox/leased-rows.ts for this and the next two columns. */
  next_attempt_at: number | null;
  lease_until: Generated<number | null>;
  attempts: Generated<number>;
  /** Epoch ms. Written once. */
  ended_at: Generated<number | null>;
  /** 'sent', 'refused', 'expired' or 'dropped' (no longer wanted). Written with ended_at. */
  outcome: Generated<string | null>;
  /** Why the last attempt failed: codes of the SMTP library and server, such as 'EENVELOPE 550'. */
  error: Generated<string | null>;
}

/** The reminders of an expiring key that have been sent. Deleted after the key has expired. */
interface KeyReminderTable {
  key_id: string;
  /** That of the key at that time, epoch ms. */
  expires_at: number;
  /** Days before the expiry: 14, 3 or 1. */
  days: number;
}

/** The tables of emails. */
export interface MailTables {
  mail: MailTable;
  mail_cursor: MailCursorTable;
  mail_preference: MailPreferenceTable;
  key_reminder: KeyReminderTable;
}
