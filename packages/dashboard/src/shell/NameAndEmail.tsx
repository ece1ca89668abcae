export interface Person {
  name: string;
  email: string;
}

export function NameAndEmail({ name, email }: Person) {
  return (
    <>
      <span className="account__name" translate="no">
        {name}
      </span>
      <span className="account__email" translate="no">
        {email}
      </span>
    </>
  );
}
