import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

export const productSorts = ['name', 'price', 'newest'] as const;
export type ProductSort = (typeof productSorts)[number];

export class PageQuery {
  @ApiPropertyOptional({ type: Number, default: 1 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  page: number = 1;

  @ApiPropertyOptional({ type: Number, default: 20, maximum: 100 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  per_page: number = 20;
}

export class SortedPageQuery extends PageQuery {
  @ApiPropertyOptional({ enum: productSorts, default: 'name' })
  @IsOptional()
  @IsIn(productSorts)
  sort: ProductSort = 'name';
}

export class ProductQuery extends SortedPageQuery {
  @ApiPropertyOptional({ description: 'slug of a category' })
  @IsOptional()
  @IsString()
  @MaxLength(120)
  category?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @MaxLength(80)
  tag?: string;

  @ApiPropertyOptional({ description: 'part of a name, SKU or description' })
  @IsOptional()
  @IsString()
  @MaxLength(80)
  q?: string;
}
