import { ApiProperty } from '@nestjs/swagger';

export class ReviewAnswer {
  @ApiProperty() id: number;
  @ApiProperty({ type: Number, nullable: true }) product_id: number | null;
  @ApiProperty({ type: String, nullable: true }) author_name: string | null;
  @ApiProperty({ type: Number, nullable: true, minimum: 1, maximum: 5 }) rating: number | null;
  @ApiProperty({ type: String, nullable: true }) title: string | null;
  @ApiProperty({ type: String, nullable: true }) body: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'local time' }) created: string | null;
}

export class ReviewPageAnswer {
  @ApiProperty({ type: [ReviewAnswer] }) items: ReviewAnswer[];
  @ApiProperty() total: number;
  @ApiProperty() page: number;
  @ApiProperty() per_page: number;
}

export class RatingAnswer {
  @ApiProperty() product_id: number;
  @ApiProperty({ description: 'approved reviews with a rating' }) count: number;
  @ApiProperty({ type: Number, nullable: true, description: 'two decimals' }) average: number | null;
  @ApiProperty({ type: Object, example: { '1': 0, '2': 1, '3': 0, '4': 3, '5': 8 } })
  distribution: Record<string, number>;
}
