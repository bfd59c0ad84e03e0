import { type TableMapping, tableMappingSchema } from '@strangler/contracts';

const COLUMNS = ['sku', 'name', 'price', 'quantity', 'state', 'added', 'note', 'owner_id', 'active'];

/** `product` becomes `item`, every column by its name. */
export const benchMapping = (): TableMapping =>
  tableMappingSchema.parse({
    from: 'product',
    to: 'item',
    key: { id: 'id' },
    columns: Object.fromEntries(COLUMNS.map((name) => [name, name])),
  });
