import { useEffect, useState } from 'react';

/** In px below the top of the window: a section is current from the moment its heading is above this line. */
const line = 140;

/** The id of the section that is being read: the last one that starts above the line. The ids are in page order. */
export function useCurrentSection(ids: readonly string[]): string | undefined {
  const [current, setCurrent] = useState<string>();
  const key = ids.join(' ');
  useEffect(() => {
    const sections = key.split(' ').flatMap((id) => document.getElementById(id) ?? []);
    let frame = 0;
    const read = () => {
      frame = 0;
      const started = sections.filter((section) => section.getBoundingClientRect().top <= line);
      const { scrollHeight } = document.documentElement;
      // The last section may be too short to reach the line.
      const isAtEnd = window.scrollY > 0 && window.scrollY + window.innerHeight >= scrollHeight - 2;
      const target = sections.find(({ id }) => `#${id}` === window.location.hash);
      const targetTop = target?.getBoundingClientRect().top ?? -1;
      const isTargetShown = targetTop >= 0 && targetTop < window.innerHeight;
      const last = isAtEnd && isTargetShown ? target : isAtEnd ? sections.at(-1) : started.at(-1);
      setCurrent(last?.id);
    };
    const schedule = () => {
      frame ||= requestAnimationFrame(read);
    };
    read();
    window.addEventListener('scroll', schedule, { passive: true });
    window.addEventListener('resize', schedule);
    window.addEventListener('hashchange', schedule);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('scroll', schedule);
      window.removeEventListener('resize', schedule);
      window.removeEventListener('hashchange', schedule);
    };
  }, [key]);
  return current;
}
