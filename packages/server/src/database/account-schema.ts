// The tables of people: those of the auth library, and the members of workspaces.

export interface WorkspaceMemberTable {
  workspace_id: string;
  user_id: string;
  role: 'owner';
  created_at: number;
}

/** The columns of the auth library's tables that accounts/ reads or writes itself. Times are ISO strings. */
export interface UserTable {
  id: string;
  name: string;
  email: string;
  emailVerified: number;
  createdAt: string;
  updatedAt: string;
}

export interface AccountTable {
  id: string;
  accountId: string;
  /** 'credential' for email and password. */
  providerId: string;
  userId: string;
  /** scrypt, by the auth library. */
  password: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface SessionTable {
  id: string;
  userId: string;
  /** SHA-256 of the token in the cookie, 64 hexadecimal digits. Written once. */
  token: string;
  createdAt: string;
  /** Changes when the session is extended. */
  updatedAt: string;
  expiresAt: string;
  ipAddress: string | null;
  userAgent: string | null;
}
