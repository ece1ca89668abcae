/** Small texts in localStorage, such as preferences, that components follow even if another tab changes them. */
import { useSyncExternalStore } from 'react';
import { Listeners } from './listeners.ts';

/** Replaces the storage where it is blocked: values last until the page is closed. */
const memory = new Map<string, string>();
const listeners = new Listeners();

export function readStored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return memory.get(name) ?? null;
  }
}

/** @param text null to remove it */
export function writeStored(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    if (text === null) memory.delete(name);
    else memory.set(name, text);
  }
  listeners.notify();
}

/** Removes all texts whose names start with `prefix`. */
export function removeStored(prefix: string): void {
  const names = [...memory.keys(), ...namesInStorage()];
  for (const name of names) if (name.startsWith(prefix)) writeStored(name, null);
}

function namesInStorage(): string[] {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

export function useStored(name: string): string | null {
  return useSyncExternalStore(subscribe, () => readStored(name));
}

function subscribe(listener: () => void): () => void {
  const unsubscribe = listeners.subscribe(listener);
  window.addEventListener('storage', listener);
  return () => {
    unsubscribe();
    window.removeEventListener('storage', listener);
  };
}
