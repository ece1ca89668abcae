import './ThemeSwitch.css';
import { Monitor, Moon, Sun } from 'lucide-react';
import { useId } from 'react';
import { chooseTheme, type Theme, useTheme } from './theme.ts';

const themes = [
  { theme: 'system', name: 'System', icon: Monitor },
  { theme: 'light', name: 'Light', icon: Sun },
  { theme: 'dark', name: 'Dark', icon: Moon },
] satisfies Array<{ theme: Theme; name: string; icon: typeof Sun }>;

export function ThemeSwitch() {
  const chosen = useTheme();
  const group = useId();
  return (
    <fieldset className="theme">
      <legend className="visually-hidden">Theme</legend>
      {themes.map(({ theme, name, icon: Icon }) => (
        <label key={theme} className="theme__choice">
          <input
            type="radio"
            className="visually-hidden"
            name={group}
            checked={chosen === theme}
            onChange={() => chooseTheme(theme)}
          />
          <Icon size={14} aria-hidden />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}
