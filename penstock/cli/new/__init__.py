"""`penstock new`: what is written for somebody who then goes on by hand."""
