import { Monitor, Moon, Sun } from 'lucide-react';
import { Segments } from './Segments.tsx';
import { setTheme, useTheme } from './theme.ts';

const themes = [
  { value: 'system', name: 'System', icon: Monitor },
  { value: 'light', name: 'Light', icon: Sun },
  { value: 'dark', name: 'Dark', icon: Moon },
] as const;

export function ThemeSwitch() {
  return <Segments label="Theme" isLabelHidden choices={themes} chosen={useTheme()} onChoose={setTheme} />;
}
