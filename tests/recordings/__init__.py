"""`scrapy record`: what is kept, what is left out, what has drifted."""
