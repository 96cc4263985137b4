"""What a deployment does by itself: jobs, schedules and sensors made of its datasets."""
