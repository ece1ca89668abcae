import { Pencil } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Button } from '../../../../components/Button.tsx';
import type { Elements } from '../../../../components/elements.ts';
import { Fact } from '../../../../components/Fact.tsx';
import { type Panel, usePanel } from '../../../../components/use-panel.ts';

interface EditableFactProps {
  name: string;
  /** Completes "Edit", such as "scopes". */
  what: string;
  /** The panel in the URL while it is edited. */
  panel: Panel;
  open: Panel | undefined;
  canEdit: boolean;
  /** The form that replaces the value. */
  form: Elements;
  /** The value. */
  children: Elements;
}

/** A property of a key that is edited in place. */
export function EditableFact({ name, what, panel, open, canEdit, form, children }: EditableFactProps) {
  const { openPanel } = usePanel();
  const isEditing = canEdit && open === panel;
  const editButton = useReturnedFocus(isEditing);
  return (
    <Fact name={name}>
      {isEditing ? (
        <div className="fact__form">{form}</div>
      ) : (
        <span className="fact__with-button">
          <span className="fact__value">{children}</span>
          {canEdit ? (
            <Button variant="quiet" icon={Pencil} ref={editButton} onClick={() => openPanel(panel)}>
              <span>Edit</span>
              <span className="visually-hidden">{` ${what}`}</span>
            </Button>
          ) : null}
        </span>
      )}
    </Fact>
  );
}

/** The focus returns to the button when the form that it opened is closed. */
function useReturnedFocus(isOpen: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    if (wasOpen.current && !isOpen) button.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  return button;
}
