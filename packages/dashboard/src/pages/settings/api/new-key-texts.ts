/** What the dialogs say about a new secret: of a new key, or of a key that was rotated. */
import type { Key } from '@soku/contract/keys';

type NewKey = Pick<Key, 'secrets'>;

const isRotated = ({ secrets }: NewKey) => secrets.length > 1;

export const nameOfNew = (key: NewKey) => (isRotated(key) ? 'secret' : 'key');

export const titleOfNew = (key: NewKey) => (isRotated(key) ? 'Copy the new secret now' : 'Copy your key now');

export const resultOf = (key: NewKey) => (isRotated(key) ? 'The key was rotated' : 'The key was created');
