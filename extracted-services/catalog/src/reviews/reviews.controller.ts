import { Controller, Get, Param, ParseIntPipe, Query } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '../catalog/product-query.js';
import { RatingAnswer, ReviewAnswer, ReviewPageAnswer } from './answers.js';
import { ReviewsService } from './reviews.service.js';

@ApiTags('reviews')
@Controller('api')
export class ReviewsController {
  constructor(private readonly reviews: ReviewsService) {}

  @Get('products/:id/reviews')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: ReviewPageAnswer })
  @ApiNotFoundResponse()
  list(@Param('id', ParseIntPipe) id: number, @Query() query: PageQuery): Promise<ReviewPageAnswer> {
    return this.reviews.list(id, query);
  }

  @Get('products/:id/rating')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: RatingAnswer })
  @ApiNotFoundResponse()
  rating(@Param('id', ParseIntPipe) id: number): Promise<RatingAnswer> {
    return this.reviews.rating(id);
  }

  @Get('reviews/:id')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: ReviewAnswer })
  @ApiNotFoundResponse()
  one(@Param('id', ParseIntPipe) id: number): Promise<ReviewAnswer> {
    return this.reviews.one(id);
  }
}
