import { statfsSync } from 'node:fs';

/** The file system that holds a data directory, and what it means for the lock. */
export interface Volume {
  name: string;
  /**
   * - local: the lock of one machine is enough
   * - network: other machines can mount it, and SQLite's log does not work there (https://sqlite.org/wal.html)
   * - unclear: it may be either, because a program or another machine provides it
   */
  kind: 'local' | 'network' | 'unclear';
}

/** Types in statfs(2), which the kernel defines in include/uapi/linux/magic.h and the file systems themselves. */
const types: Record<Volume['kind'], Record<number, string>> = {
  network: {
    26985: 'NFS',
    20859: 'SMB',
    4266872130: 'SMB',
    4283649346: 'SMB',
    12805120: 'CephFS',
    198183888: 'Lustre',
    1196443219: 'GPFS',
    18225520: 'GFS2',
    1952539503: 'OCFS2',
    1397113167: 'AFS',
    1799439955: 'AFS',
    1937076805: 'Coda',
  },
  unclear: {
    1702057286: 'FUSE',
    16914839: '9p',
    2020557398: 'a VirtualBox shared folder',
    3133910204: 'a VMware shared folder',
  },
  local: {
    61267: 'ext4',
    1481003842: 'XFS',
    2435016766: 'Btrfs',
    801189825: 'ZFS',
    4076150800: 'F2FS',
    3393526350: 'bcachefs',
    16914836: 'tmpfs',
    2240043254: 'ramfs',
    2035054128: 'overlayfs',
  },
};

/** Only Linux numbers the types the same on every machine: elsewhere, every file system counts as local. */
export function volumeOf(directory: string): Volume {
  if (process.platform !== 'linux') return { name: 'unknown', kind: 'local' };
  const type = typeOf(directory);
  if (type === undefined) return { name: 'a file system of an unknown type', kind: 'unclear' };
  for (const kind of ['network', 'unclear', 'local'] as const) {
    // The field is signed on some machines.
    const name = types[kind][type >>> 0];
    if (name !== undefined) return { name, kind };
  }
  return { name: `a file system of type 0x${(type >>> 0).toString(16)}`, kind: 'unclear' };
}

/** @returns undefined if the system does not report it, as under a strict seccomp filter */
function typeOf(directory: string): number | undefined {
  try {
    return statfsSync(directory).type;
  } catch {
    return undefined;
  }
}
