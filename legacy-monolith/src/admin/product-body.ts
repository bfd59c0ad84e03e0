import { ApiProperty, PartialType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import { productStatuses, type Product, type ProductStatus } from '../catalog/product.entity.js';

/** What the latin1 column takes (it is cp1252 in truth); anything else is an error of the database. */
const CP1252 = /^[\u0020-\u007e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/;

/** A form sends an empty field where JSON sends null. */
const EmptyIsNull = () => Transform(({ value }: { value: unknown }) => (value === '' ? null : value));

const Percent = (): PropertyDecorator => (target, key) => {
  ApiProperty({ type: String, nullable: true, required: false, example: '12.5' })(target, key);
  IsOptional()(target, key);
  EmptyIsNull()(target, key);
  Matches(/^\d{1,2}(\.\d)?$/)(target, key);
};

/** Decimals are strings, as in the answers; null empties a column. */
export class NewProductBody {
  @ApiProperty({ example: 'SH-90001' }) @IsString() @Length(1, 40) sku: string;

  @ApiProperty() @IsString() @Length(1, 190) name: string;

  @ApiProperty({ type: String, nullable: true, required: false, example: '12.90', description: 'net' })
  @IsOptional()
  @EmptyIsNull()
  @Matches(/^\d{1,8}(\.\d{1,2})?$/)
  price?: string | null;

  @Percent() discount_pct?: string | null;

  @Percent() tax_pct?: string | null;

  @ApiProperty({ type: String, nullable: true, required: false, description: 'comma separated' })
  @IsOptional()
  @IsString()
  @MaxLength(255)
  tags?: string | null;

  @ApiProperty({ type: String, nullable: true, required: false })
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  description?: string | null;

  @ApiProperty({ type: String, nullable: true, required: false })
  @IsOptional()
  @MaxLength(80)
  @Matches(CP1252)
  manufacturer?: string | null;

  @ApiProperty({ enum: productStatuses, required: false, default: 'draft' })
  @IsOptional()
  @IsIn(productStatuses)
  status?: ProductStatus;

  @ApiProperty({ type: Number, nullable: true, required: false })
  @IsOptional()
  @IsInt()
  category_id?: number | null;

  @ApiProperty({ required: false }) @IsOptional() @IsBoolean() visible?: boolean;

  @ApiProperty({ required: false }) @IsOptional() @IsBoolean() featured?: boolean;
}

export class ProductChangeBody extends PartialType(NewProductBody) {}

const flag = (value: boolean | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

/** Only what was sent: what is undefined stays as it is. */
export function toColumns({ visible, featured, ...columns }: ProductChangeBody): Partial<Product> {
  const sent = Object.entries({ ...columns, is_visible: flag(visible), is_featured: flag(featured) });
  return Object.fromEntries(sent.filter(([, value]) => value !== undefined));
}
