/** The schema beside that of an application that holds what the toolkit has to remember there (docs/adr/0004). */
export const controlSchemaOf = ({ schema }: { readonly schema: string }): string => `${schema}_strangler`;
