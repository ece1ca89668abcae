import './MenuItem.css';
import './Menu.css';
import type { LucideIcon } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, useLayoutEffect, useRef } from 'react';
import type { Elements } from './elements.ts';
import type { OpenMenu } from './MenuButton.tsx';

interface MenuProps extends OpenMenu {
  id: string;
  label: string;
  /** The edge of the button that the menu is aligned with. */
  align: 'start' | 'end';
  onClose: () => void;
  children: Elements;
}

/**
 * The menu of a MenuButton (ARIA menu button pattern), rendered while it is open: in the top layer below the button, or on
 * a phone a sheet at the bottom of the screen. The browser closes it on Escape and on a click outside.
 */
export function Menu({ id, label, button, start, align, onClose, children }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    // Safari does not focus a button that is clicked.
    button.focus();
    element.showPopover();
    place(element, button, align);
    itemsOf(element)
      .at(start === 'first' ? 0 : -1)
      ?.focus();
    return () => element.hidePopover();
  }, [button, start, align]);

  return (
    <div
      ref={menu}
      id={id}
      className="menu"
      role="menu"
      aria-label={label}
      popover="auto"
      tabIndex={-1}
      onKeyDown={moveFocus}
      onClickCapture={closeOnChoice}
      onToggle={({ newState }) => {
        if (newState === 'closed') onClose();
      }}
    >
      <p className="menu__label" aria-hidden translate="no">
        {label}
      </p>
      {children}
    </div>
  );
}

function itemsOf(menu: Element): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
}

/**
 * Closing the menu returns the focus to its button. That happens before the item acts, so that a dialog which the item
 * opens returns the focus to the button, too.
 */
function closeOnChoice({ currentTarget: menu, target }: MouseEvent<HTMLElement>): void {
  if (target instanceof Element && target.closest('[role^="menuitem"]')) menu.hidePopover();
}

/** Moves the focus with the arrow keys, Home, End and the first letter of an item. Tab closes the menu. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const { currentTarget: menu, key } = event;
  // This returns the focus to the button, from where the browser then moves it.
  if (key === 'Tab') {
    menu.hidePopover();
    return;
  }
  const items = itemsOf(menu);
  const current = items.findIndex((item) => item.matches(':focus'));
  const next = nextItem(items, current, key);
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function nextItem(items: HTMLElement[], current: number, key: string): HTMLElement | undefined {
  if (key === 'Home') return items[0];
  if (key === 'End') return items.at(-1);
  if (key === 'ArrowDown') return items[(current + 1) % items.length];
  if (key === 'ArrowUp') return items.at(current < 1 ? -1 : current - 1);
  if (key.length > 1 || key === ' ') return undefined;
  const after = [...items.slice(current + 1), ...items.slice(0, current + 1)];
  return after.find((item) => item.textContent.toLowerCase().startsWith(key.toLowerCase()));
}

/** In px. */
const gap = 4;

/** Positions the menu on the page, so that it scrolls with its button: below the button, or above it if it fits only there. */
function place(menu: HTMLElement, button: HTMLElement, align: 'start' | 'end'): void {
  const { width, height } = menu.getBoundingClientRect();
  const { top, bottom, left, right } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const above = bottom + gap + height > clientHeight && top - gap - height >= 0;
  const x = Math.min(align === 'end' ? right - width : left, clientWidth - gap - width);
  menu.style.setProperty('--menu-top', `${(above ? top - gap - height : bottom + gap) + window.scrollY}px`);
  menu.style.setProperty('--menu-left', `${Math.max(x, gap)}px`);
}

interface MenuItemProps {
  icon: LucideIcon;
  /** Continues the name for screen readers, for example with the object of the action. */
  hiddenSuffix?: string;
  danger?: boolean;
  onChoose: () => void;
  children: Elements;
}

export function MenuItem({ icon: Icon, hiddenSuffix, danger = false, onChoose, children }: MenuItemProps) {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={`menu-item menu__item ${danger ? 'menu__item--danger' : ''}`}
      onClick={onChoose}
    >
      <Icon size={16} aria-hidden />
      <span className="menu__text">
        {children}
        {hiddenSuffix ? <span className="visually-hidden">{hiddenSuffix}</span> : null}
      </span>
    </button>
  );
}

interface MenuChoiceProps {
  isChosen: boolean;
  onChoose: () => void;
  children: Elements;
}

/** One of several values. */
export function MenuChoice({ isChosen, onChoose, children }: MenuChoiceProps) {
  return (
    <button
      type="button"
      role="menuitemradio"
      aria-checked={isChosen}
      tabIndex={-1}
      className="menu-item menu__item"
      onClick={onChoose}
    >
      <span className="menu__text">{children}</span>
    </button>
  );
}

/** Items under a heading. */
export function MenuGroup({ title, children }: { title: string; children: Elements }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is not allowed in a menu
    <div className="menu__group" role="group" aria-label={title}>
      <p className="menu__title" aria-hidden>
        {title}
      </p>
      {children}
    </div>
  );
}
