import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How many of an item of a cart of the shop are in orders: the shop empties the cart after the order is placed, or never. */
@Entity('cart_claim')
export class CartClaim {
  @PrimaryColumn({ name: 'cart_item_id', type: 'int' }) cartItemId: number;
  @Column({ type: 'int', comment: 'how many of it are in orders' }) quantity: number;
}
